/** Numbers and times as people read them. */

const NUMBER = new Intl.NumberFormat("en");
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export const NONE = "–";

export const count = (n) => (n == null ? NONE : NUMBER.format(n));

export const cost = (usd) => (usd == null ? NONE : `$${usd.toFixed(usd < 1 ? 4 : 2)}`);

export const clock = (time) => CLOCK.format(new Date(time));

/** With milliseconds, for what happens fast. */
export const clockMs = (time) => `${clock(time)}.${time.slice(20, 23)}`;

export const moment = (time) => MOMENT.format(new Date(time));

/** 840 ms, 1.2 s, 12 s, 3 min 04 s, 2 h 05 min, 3 d 4 h */
export function duration(ms) {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${pad(s % 60)} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${pad(Math.floor((s % 3600) / 60))} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** Whole seconds: for what is shown anew each second. */
export const running = (ms) => (ms < 1_000 ? "0 s" : duration(Math.floor(ms / 1000) * 1000).replace(/\.0 s$/, " s"));

/** just now, 40 s ago, 5 min ago, 3 h ago, 2 d ago */
export function age(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 5) return "just now";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86_400)} d ago`;
}

export function bytes(n) {
  if (n < 1000) return `${n} B`;
  return n < 1_000_000 ? `${(n / 1000).toFixed(1)} kB` : `${(n / 1_000_000).toFixed(1)} MB`;
}

const pad = (n) => String(n).padStart(2, "0");
