// `node scripts/idiom.mjs [files]`: rejects words that are not plain technical English in comments (TypeScript,
// JavaScript, Vue), in Markdown and in names of tests, and names of tests that are too long. Code, other strings and inline
// code are not checked.
import { globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'

const root = join(import.meta.dirname, '..')

/** Rejected words, and what to write instead. */
const IDIOM = {
  'told|tells?|telling': 'sent, delivered, notified, reported',
  'asks?|asked|asking': 'requests, is authorized, is queried',
  'says|said': 'contains, states, specifies, reports',
  'who|whom|whoever': 'the user, the client, a subscriber that',
  'somebody|someone|nobody|everybody|everyone|anybody|oneself': 'a user, another writer, no subscriber, all clients',
  whatever: 'any, all, regardless of',
  'hears?|heard|hearing': 'receives, received',
  'held|held back': 'buffered, retained, subscribed',
  'stands|stood|lies|lives|lived': 'is stored, is located, belongs to',
  'he|him|his|she|her|hers': 'the user, they',
  'looks|a look': 'is checked, a lookup',
  'brings?|brought|takes? along': 'fetches, delivers, carries',
  'gives? back|gave back|goes on|went on|comes? back|came back': 'returns, continues, reconnects',
  "one['’]s own|its undo|may yet|right so": 'its own, an unsubscribe function, may still, as expected',
}

/** The longest name of a test. `describe` contains its subject. */
const MAX_NAME_LENGTH = 80

const patterns = Object.entries(IDIOM).map(([words, instead]) => [new RegExp(`(?<![\\w-])(?:${words})(?![\\w-])`, 'gi'), instead])
const blank = (text) => text.replaceAll(/[^\n]/g, ' ')

/** The text with everything except its comments replaced by spaces, so that lines keep their numbers. */
function commentsOf(text) {
  const file = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest)
  const ranges = new Map()
  const visit = (node) => {
    const children = node.getChildren(file)
    if (children.length > 0) return children.forEach(visit)
    const found = [...(ts.getLeadingCommentRanges(text, node.pos) ?? []), ...(ts.getTrailingCommentRanges(text, node.end) ?? [])]
    for (const { pos, end } of found) ranges.set(pos, end)
  }
  visit(file)
  let result = ''
  for (const [pos, end] of [...ranges].toSorted(([a], [b]) => a - b)) {
    if (pos < result.length) continue
    result += blank(text.slice(result.length, pos)) + text.slice(pos, end)
  }
  return result + blank(text.slice(result.length))
}

/** The comments of a Vue component: those of its script, of its template and of its styles. */
function vueCommentsOf(text) {
  const rest = text.replaceAll(/<script\b[^>]*>.*?<\/script>/gs, blank)
  const script = text.replaceAll(/(?<=<\/script>|^)(?:(?!<script\b).)*(?:<script\b[^>]*>|$)|<\/script>/gs, blank)
  const comments = [...rest.matchAll(/<!--.*?-->|\/\*.*?\*\//gs)]
  const outside = comments.reduce((lines, { 0: comment, index }) => lines + blank(text.slice(lines.length, index)) + comment, '')
  return `${outside}${blank(text.slice(outside.length))}\n`
    .split('\n')
    .map((line, at) => `${line} ${commentsOf(script).split('\n')[at] ?? ''}`)
    .join('\n')
}

/** Prose of a page: without inline code, targets of links, and code in fences, of which the comments stay. */
function proseOf(text) {
  return text
    .replaceAll(/^```(\w*)[^\n]*\n(.*?)^```/gms, (block, language, code) => {
      if (language === 'vue') return `\n${vueCommentsOf(code)}`
      if (/^(?:ts|js|mjs)$/.test(language)) return `\n${commentsOf(code)}`
      return `\n${/^(?:sh|)$/.test(language) ? code : blank(code)}`
    })
    .replaceAll(/(`+).+?\1|\]\([^)\n]*\)|<https?:[^>]*>/g, blank)
}

/** The names of tests and suites, with their lines. */
function testNamesOf(text) {
  const file = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest)
  const names = []
  const visit = (node) => {
    const [name] = ts.isCallExpression(node) ? node.arguments : []
    const isTest = name !== undefined && /^(?:test|it|describe)$/.test(functionOf(node.expression))
    if (isTest && (ts.isStringLiteralLike(name) || ts.isTemplateExpression(name)))
      names.push({ line: file.getLineAndCharacterOfPosition(name.getStart(file)).line + 1, name: name.getText(file).slice(1, -1) })
    ts.forEachChild(node, visit)
  }
  visit(file)
  return names
}

/** The name of the function behind `test.each(…)` and the like. */
function functionOf(node) {
  if (ts.isIdentifier(node)) return node.text
  const inner = node.expression ?? node.tag
  return inner === undefined ? '' : functionOf(inner)
}

/** Comments without inline code. */
const withoutCode = (text) => text.replaceAll(/`[^`\n]+`/g, blank)

const textOf = (path, text) =>
  path.endsWith('.md') ? proseOf(text) : withoutCode(path.endsWith('.vue') ? vueCommentsOf(text) : commentsOf(text))

const skipped = /(?:^|\/)(?:node_modules|dist|packed|coverage|\.(?!changeset|github)[^/]+)(?:\/|$)/
const paths =
  process.argv.length > 2
    ? process.argv.slice(2)
    : globSync('{**,.changeset,.github/**}/*.{md,ts,mts,mjs,vue}', { cwd: root, exclude: (path) => skipped.test(path) })

let found = 0
const report = (path, line, problem) => {
  found += 1
  console.log(`${path}:${line}: ${problem}`)
}
const reportWords = (path, line, text) => {
  for (const [pattern, instead] of patterns)
    for (const [word] of text.matchAll(pattern)) report(path, line, `"${word}". Write, for example: ${instead}.`)
}

for (const path of new Set(paths.map((name) => relative(root, join(root, name))))) {
  const content = readFileSync(join(root, path), 'utf8')
  for (const [index, line] of textOf(path, content).split('\n').entries()) reportWords(path, index + 1, line)
  if (!/\/(?:test|testing|test-app)\/.*\.ts$/.test(path)) continue
  for (const { line, name } of testNamesOf(content)) {
    reportWords(path, line, name)
    if (name.length > MAX_NAME_LENGTH) report(path, line, `The name has ${name.length} characters, at most ${MAX_NAME_LENGTH} are allowed.`)
  }
}
if (found > 0) console.log(`${found} problems.`)
process.exitCode = found > 0 ? 1 : 0
