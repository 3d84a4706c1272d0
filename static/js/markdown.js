/** Markdown into elements, safely: what is no markdown stays text, and no markup but ours comes out. */
import { Marked } from "../vendor/marked_18_2_1/marked.esm.js";
import DOMPurify from "../vendor/dompurify_3_4_18/purify.es.js";

const SAFE_LINK = /^(https?:|mailto:)/i;
const TAGS =
  "p br strong em del code pre blockquote ul ol li h3 h4 h5 h6 hr a table thead tbody tr th td".split(" ");
const RULES = {
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ["href", "start", "align", "rel", "target"],
  ALLOWED_URI_REGEXP: SAFE_LINK,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_TRUSTED_TYPE: true,
};
const DEEPEST = 6;
const PAGE_HEADINGS = 2; // h1 and h2 are the page's own

const escape = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text, raw }) => escape(raw ?? text),
    image: ({ href, text }) => link(href, escape(text || href)), // nothing is fetched from elsewhere
    link({ href, tokens }) {
      return link(href, this.parser.parseInline(tokens));
    },
    heading({ tokens, depth }) {
      const level = Math.min(DEEPEST, depth + PAGE_HEADINGS);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

function link(href, text) {
  if (!SAFE_LINK.test(href)) return text;
  return `<a href="${escape(href)}" target="_blank" rel="noopener noreferrer">${text}</a>`;
}

/** The blocks of a text, each with its `raw` and `type`. */
export const blocks = (text) => marked.lexer(text);

/** Draw blocks into an element, instead of what it holds. */
export function draw(element, tokens) {
  element.innerHTML = DOMPurify.sanitize(marked.parser(tokens), RULES);
}
