// Makes sure that what a command needs from the system is here: Node 22.18 or later, and the programs it names, e.g.
// `node scripts/setup.mjs redis-server chromium-headless-shell,chromium nginx`: after a comma another program that does as well.
// Installs them with apt where it may (root on Debian), otherwise stops with the command to run.
import { spawnSync } from 'node:child_process'

// The program of a package with another name.
const PROGRAMS = { postgresql: 'postgres' }

// Debian installs servers in folders that are not on every user's PATH.
const FOLDERS = 'PATH="$PATH:/usr/sbin:$(echo /usr/lib/postgresql/*/bin | tr " " :)"'

// Debian's PostgreSQL creates a cluster and starts it when it is installed, unless this file exists and forbids it.
const NO_CLUSTER =
  'mkdir -p /etc/postgresql-common && cd /etc/postgresql-common && { [ -e createcluster.conf ] || echo "create_main_cluster = off" > createcluster.conf; }'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) stop(`Node ${process.versions.node} runs this; it needs Node 22.18 or later.`)
const missing = process.argv
  .slice(2)
  .map((names) => names.split(','))
  .filter((names) => !names.some(has))
if (missing.length > 0) install(missing)

function has(command) {
  return spawnSync('sh', ['-c', `${FOLDERS}; command -v ${PROGRAMS[command] ?? command}`]).status === 0
}

function install(programs) {
  const named = (place) => programs.map((names) => names.at(place)).join(' ')
  const commandFor = (names) => `apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${names}`
  const [first, last] = [named(0), named(-1)]
  if (process.getuid?.() !== 0 || !has('apt-get')) stop(`Missing: ${last}. Install it, for example with: sudo sh -c '${commandFor(last)}'`)
  console.log(`Missing: ${first}. Installing with apt`)
  // Not every release has the first one.
  const command = first === last ? commandFor(first) : `(${commandFor(first)}) || (${commandFor(last)})`
  const before = programs.flat().includes('postgresql') ? `${NO_CLUSTER} && ` : ''
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `${before}(${command})`], { encoding: 'utf8' })
  if (status !== 0) stop(`${last} could not be installed:\n${stdout}${stderr}`)
}

function stop(message) {
  console.error(message)
  process.exit(1)
}
