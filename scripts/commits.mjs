// `node scripts/commits.mjs`: checks the subjects of commits since the first commit that contains this file. Without
// that commit (no git, a shallow clone, an archive) it passes with a note.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const MAX_LENGTH = 72
const FORM = /^(?:feat|fix|perf|refactor|docs|test|style|chore|build|ci)(?:\([\w-]+\))?!?: \S.*$/
const MORE = /[;,] (?:feat|fix|perf|refactor|docs|test|style|chore|build|ci)(?:\([\w-]+\))?!?: /

function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' })
  return status === 0 ? stdout.trim() : ''
}

const first = git('log', '--format=%H', '--diff-filter=A', '--', 'scripts/commits.mjs').split('\n').at(-1)
const isShallow = git('rev-parse', '--is-shallow-repository') === 'true'
if (!first || isShallow) {
  console.log(`Commits are not checked: ${isShallow ? 'the clone is shallow' : 'there is no history'}.`)
} else {
  const subjects = git('log', '--no-merges', '--format=%h %s', `${first}..HEAD`)
    .split('\n')
    .filter((line) => line !== '')
  const problems = subjects.flatMap((line) => {
    const [hash = ''] = line.split(' ', 1)
    const subject = line.slice(hash.length + 1)
    if (subject.length > MAX_LENGTH) return [`${hash} has ${subject.length} characters, at most ${MAX_LENGTH} are allowed: ${subject}`]
    if (!FORM.test(subject) || MORE.test(subject)) return [`${hash} is not one \`type(scope): what changes\`: ${subject}`]
    return []
  })
  console.log([...problems, `${subjects.length} commits checked.`].join('\n'))
  process.exitCode = problems.length > 0 ? 1 : 0
}
