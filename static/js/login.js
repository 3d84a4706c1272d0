/** Where to go after signing in, and whether the last try failed. The form itself is plain HTML. */

const query = new URLSearchParams(location.search);
const next = query.get("next") ?? "/";

// a path of ours only: `//host` and `/\host` are other sites to a browser
document.querySelector("[name=next]").value = /^\/(?![/\\])/.test(next) ? next : "/";
document.getElementById("failed").hidden = !query.has("failed");
