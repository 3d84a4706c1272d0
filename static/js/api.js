/** HTTP to our server: JSON in, JSON out, and two kinds of failure. */
import { observe } from "./server-clock.js";

const TIMEOUT_MS = 30_000; // no answer comes later than 25 s

/** The server's own word that this request does not go. Trying again changes nothing. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? body.code);
    this.status = status;
    this.code = body.code;
    this.body = body;
  }
}

/** No word of the server: no network, a proxy's page, half an answer, or "later". Try again. */
export class Unreachable extends Error {
  constructor(message, retryS = 0) {
    super(message);
    this.retryS = retryS;
  }
}

export function get(path, { signal } = {}) {
  return request(path, { signal });
}

/** key: the Idempotency-Key; sent again with the same one, the request is carried out once. */
export function post(path, body, { key } = {}) {
  return request(path, {
    method: "POST",
    body: body instanceof FormData ? body : JSON.stringify(body),
    headers: { ...(!(body instanceof FormData) && { "Content-Type": "application/json" }), ...(key && { "Idempotency-Key": key }) },
  });
}

async function request(path, { signal, headers, ...init }) {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  let response;
  try {
    response = await fetch(path, {
      ...init,
      headers: { Accept: "application/json", ...headers },
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      cache: "no-store",
    });
  } catch (cause) {
    throw new Unreachable(cause.name === "TimeoutError" ? "no answer" : "no connection");
  }
  observe(response);
  // null: a proxy's page, or an answer that was cut
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw failure(response, body);
}

function failure(response, body) {
  const final = response.status >= 400 && response.status < 500 && ![408, 425, 429].includes(response.status);
  if (!final || !body?.code) {
    const what = response.ok ? "an answer that is not ours" : `HTTP ${response.status}`;
    return new Unreachable(what, Math.max(Number(body?.retry_s) || 0, retryAfterS(response)));
  }
  if (response.status === 401) toLogin();
  return new Problem(response.status, body);
}

function retryAfterS(response) {
  const value = response.headers.get("Retry-After");
  if (!value) return 0;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Math.max(0, seconds) || 0;
}

function toLogin() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}
