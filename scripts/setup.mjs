// Makes sure that what the tests need from the system is here: Node 22.18 or later, and redis-server.
// Installs redis-server with apt where it may (root on Debian), otherwise stops with the command to run.
import { spawnSync } from 'node:child_process'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) stop(`Node ${process.versions.node} runs this; the tests need Node 22.18 or later.`)
if (!has('redis-server')) install('redis-server')

function has(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}

function install(name) {
  const command = `apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${name}`
  if (process.getuid?.() !== 0 || !has('apt-get')) stop(`${name} is missing. Install it, for example with: sudo sh -c '${command}'`)
  console.log(`${name} is missing: installing it with apt`)
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' })
  if (status !== 0) stop(`${name} could not be installed:\n${stdout}${stderr}`)
}

function stop(message) {
  console.error(message)
  process.exit(1)
}
