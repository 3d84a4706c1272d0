/** Values at JSON pointers (RFC 6901). */

const parts = (pointer) => pointer.split("/").slice(1).map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));

export function readPointer(value, pointer) {
  return parts(pointer).reduce((inner, part) => inner?.[part], value);
}

/** Makes the objects on the way. undefined removes the value, and an object that it leaves empty. */
export function writePointer(value, pointer, next) {
  const path = parts(pointer);
  const last = path.pop();
  const way = [value];
  for (const part of path) way.push((way.at(-1)[part] ??= {}));
  if (next !== undefined) return (way.at(-1)[last] = next);
  delete way.at(-1)[last];
  const parent = way.at(-2);
  if (parent && !Array.isArray(parent) && !Object.keys(way.at(-1)).length) delete parent[path.at(-1)];
}
