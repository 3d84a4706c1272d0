/** Makes elements from the page's `<template>`s. The only way that markup comes into being here. */

/** A copy of template#id: its root, and the elements with data-slot by that name. */
export function stamp(id) {
  const root = document.getElementById(id).content.firstElementChild.cloneNode(true);
  return { root, ...slots(root) };
}

export function slots(root) {
  return Object.fromEntries(
    Array.from(root.querySelectorAll("[data-slot]"), (element) => [element.dataset.slot, element]),
  );
}
