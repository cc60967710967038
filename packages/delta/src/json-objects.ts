/**
 * The JSON objects of a text, one after the other, each as text: lines of one object each, and objects over many lines, as
 * a person leaves them who formatted a commit to read it. What is in no object becomes a text of its own, which JSON will
 * refuse.
 */
export function* jsonObjects(text: string): Generator<string> {
  let start = 0
  let depth = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '{') depth += 1
    if (token !== '}') continue
    depth -= 1
    if (depth > 0) continue
    yield text.slice(start, index + 1)
    start = index + 1
    depth = 0
  }
  if (text.slice(start).trim() !== '') yield text.slice(start)
}

/** A string, passed over whole for the braces in it, or a brace. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}]/gs
