// `node scripts/public-docs.mjs`: checks the comments of public declarations, which editors show to users. Each export has
// one. A function has `@throws` with the codes that its own body throws. An optional property of options has `@default`, equal
// to the default in its table of options, or a comment that states what happens without it ("Without it, …", "Unset by
// default"). Entries `…/internal` are not public.
import { join, relative } from 'node:path'
import ts from 'typescript'
import { publishedPackages } from './published-packages.mjs'

const root = join(import.meta.dirname, '..')
const SOURCE = '@tutti/source'
const UNSET = /\bWithout (?:it|them|this)\b|\b[Uu]nset by\s+default\b/
const THROWS_IN_PROSE = /\b(?:Throws|Rejects with) `[A-Z_]+`/

const entries = publishedPackages.flatMap(({ folder, manifest }) =>
  Object.entries(manifest.exports)
    .filter(([path, target]) => target[SOURCE] && !path.startsWith('./internal'))
    .map(([, target]) => join(folder, target[SOURCE])),
)
const program = ts.createProgram(entries, {
  ...{ module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, target: ts.ScriptTarget.ESNext },
  ...{ customConditions: [SOURCE], allowImportingTsExtensions: true, noEmit: true, skipLibCheck: true, types: ['node'] },
})
const checker = program.getTypeChecker()
const problems = new Map()
let count = 0

/** One problem for each place: a type can be public under several names. */
function report(node, problem) {
  const file = node.getSourceFile()
  const { line } = file.getLineAndCharacterOfPosition(node.getStart(file))
  const place = `${relative(root, file.fileName)}:${line + 1}`
  if (!problems.has(place)) problems.set(place, problem)
}

const isOurs = (node) => node.getSourceFile().fileName.startsWith(join(root, 'packages'))
const resolved = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)

/** The comment of a declaration without its tags, the text of each tag, and whether there is a comment. */
function commentOf(node) {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)
  const textOf = (part) => ts.getTextOfJSDocComment(part.comment) ?? ''
  const tags = (name) => docs.flatMap((doc) => (doc.tags ?? []).filter(({ tagName }) => tagName.text === name)).map(textOf)
  return { exists: docs.length > 0, text: docs.map(textOf).join('\n'), throws: tags('throws').join(' '), defaults: tags('default') }
}

/** The function of a declaration, if it is one. */
function functionOf(node) {
  const value = ts.isVariableDeclaration(node) ? node.initializer : node
  return value && ts.isFunctionLike(value) && value.body ? value : undefined
}

/** Codes that a body throws itself, without the functions in it. */
function codesOf(body) {
  const codes = new Set()
  const visit = (node) => {
    if (ts.isFunctionLike(node)) return
    const [code] = ts.isThrowStatement(node) && ts.isNewExpression(node.expression) ? (node.expression.arguments ?? []) : []
    if (code && ts.isStringLiteral(code)) codes.add(code.text)
    if (ts.isCallExpression(node) && node.expression.getText() === 'parseOptions') codes.add('INVALID_OPTIONS')
    ts.forEachChild(node, visit)
  }
  visit(body)
  return codes
}

/** The literal that an expression is, through constants. */
function literalOf(node) {
  if (node === undefined) return undefined
  if (ts.isNumericLiteral(node) || ts.isStringLiteral(node)) return node.text
  if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) return node.getText()
  const symbol = ts.isIdentifier(node) || ts.isPropertyAccessExpression(node) ? checker.getSymbolAtLocation(node) : undefined
  const declaration = symbol && resolved(symbol).valueDeclaration
  const hasValue = declaration && (ts.isVariableDeclaration(declaration) || ts.isPropertyAssignment(declaration))
  return hasValue ? literalOf(declaration.initializer) : undefined
}

/** Literal defaults by option: the rows of each table `{ name: wholeNumber(1, 500) } satisfies OptionRows<Options>`. */
const defaultsOf = new Map()
for (const file of program.getSourceFiles().filter(isOurs)) {
  const visit = (node) => {
    if (ts.isSatisfiesExpression(node) && ts.isObjectLiteralExpression(node.expression) && node.type.getText().startsWith('OptionRows<')) {
      const owner = /\b\w*(?:Options|Limits|Timeouts)\b/.exec(node.type.getText().slice('OptionRows<'.length))?.[0]
      for (const row of node.expression.properties.filter(ts.isPropertyAssignment)) {
        const { initializer } = row
        const place = { flag: 0, text: 0, callback: 0, wholeNumber: 1, oneOf: 1 }[
          ts.isCallExpression(initializer) ? initializer.expression.getText() : ''
        ]
        const value = ts.isArrayLiteralExpression(initializer)
          ? initializer.elements[2]
          : place === undefined
            ? undefined
            : initializer.arguments[place]
        const literal = literalOf(value)
        if (literal !== undefined) defaultsOf.set(`${owner}.${row.name.getText()}`, literal)
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
}

/** Checks the optional properties of options, inherited ones included. */
function checkOptions(node) {
  for (const member of checker
    .getTypeAtLocation(node)
    .getProperties()
    .flatMap(({ declarations = [] }) => declarations)) {
    if (!ts.isPropertySignature(member) || member.questionToken === undefined || !isOurs(member)) continue
    const { exists, text, defaults } = commentOf(member)
    const name = `${member.parent.name?.text}.${member.name.getText()}`
    const [written] = defaults
    const actual = defaultsOf.get(name)
    if (!exists) report(member, `${name} has no comment.`)
    else if (written === undefined && !UNSET.test(text))
      report(member, `${name} has no \`@default\`, and does not state what happens without it.`)
    else if (actual !== undefined && written?.replaceAll(/[_'"`]/g, '') !== actual) report(member, `The default of ${name} is ${actual}.`)
  }
}

function checkProse(node) {
  if (THROWS_IN_PROSE.test(commentOf(node).text)) report(node, 'Errors have a tag: `@throws {RealtimeError} CODE`.')
  if (ts.isInterfaceDeclaration(node)) for (const member of node.members) checkProse(member)
}

for (const path of entries) {
  for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)))) {
    const declarations = (resolved(symbol).declarations ?? []).filter((node) => isOurs(node) && !ts.isSourceFile(node))
    if (declarations.length === 0) continue
    count += 1
    const comments = declarations.map(commentOf)
    const throws = comments.map((comment) => comment.throws).join(' ')
    if (comments.every(({ exists }) => !exists)) report(declarations[0], `${symbol.name} has no comment.`)
    for (const node of declarations) {
      checkProse(node)
      const body = functionOf(node)?.body
      for (const code of body ? codesOf(body) : [])
        if (!throws.includes(code)) report(node, `${symbol.name} throws ${code}: add it to \`@throws\`.`)
      if (/(?:Options|Limits)$/.test(symbol.name) && !ts.isVariableDeclaration(node)) checkOptions(node)
    }
  }
}

for (const [place, problem] of [...problems].toSorted(([a], [b]) => (a < b ? -1 : 1))) console.log(`${place}: ${problem}`)
console.log(`${count} public declarations, ${problems.size} problems.`)
process.exitCode = problems.size > 0 ? 1 : 0
