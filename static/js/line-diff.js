/** What was changed in a text, line by line. For short texts: the arguments of a tool. */

const LINES_MAX = 400;

export function showDiff(root, before, after) {
  root.replaceChildren(...diff(before.split("\n"), after.split("\n")).map(line));
}

function line([sign, text]) {
  const element = document.createElement(sign === "+" ? "ins" : sign === "-" ? "del" : "span");
  element.textContent = `${sign} ${text}\n`;
  return element;
}

/** [sign, line]: " " in both, "-" only before, "+" only after. */
function diff(before, after) {
  if (before.length > LINES_MAX || after.length > LINES_MAX) {
    return [...before.map((text) => ["-", text]), ...after.map((text) => ["+", text])];
  }
  const common = commonLengths(before, after);
  const found = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && before[i] === after[j]) {
      found.push([" ", before[i++]]);
      j++;
    } else if (j === after.length || (i < before.length && common[i + 1][j] >= common[i][j + 1])) {
      found.push(["-", before[i++]]);
    } else found.push(["+", after[j++]]);
  }
  return found;
}

/** [i][j]: how many lines the texts from i and from j on have in common. */
function commonLengths(before, after) {
  const table = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      table[i][j] = before[i] === after[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  return table;
}
