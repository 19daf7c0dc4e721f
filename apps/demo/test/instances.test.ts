import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRealtimeClient } from '@tutti/client'
import { eventually, freePort } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { DEMO_FOLDER } from '../scripts/demo-folder.ts'
import { freePorts } from '../scripts/free-ports.ts'
import { startInstance, type DemoInstance } from '../scripts/start-instance.ts'

let folder: string
let file: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tutti-demo-'))
  cpSync(join(DEMO_FOLDER, '.output'), join(folder, 'copy'), { recursive: true })
  file = join(folder, 'copy/server/index.mjs')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** An instance without Redis, in an empty folder, or in the one given. */
async function startAlone(where = mkdtempSync(join(folder, 'alone-'))): Promise<DemoInstance> {
  const instance = await startInstance({ file, folder: where, port: await freePort() })
  onTestFinished(async () => void (await instance.stop()))
  return instance
}

/** Starts a script of the demo as `pnpm run` does. */
function startScript(name: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [join(DEMO_FOLDER, 'scripts', name)], { env: { ...process.env, ...env }, stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, output }))
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return { child, ended, output: () => output }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const answers = async (address: string): Promise<boolean> =>
  fetch(address, { headers: { connection: 'close' } }).then(
    ({ ok }) => ok,
    () => false,
  )

test('[F5] without Redis one instance works in an empty folder, with one warning', async () => {
  const instance = await startAlone()
  const client = createRealtimeClient({ url: instance.address })
  onTestFinished(() => client.close())
  await client.state('demo:count', { default: 0 }).increment(7)
  expect(await (await fetch(instance.address)).text()).toContain('>7</output>')
  expect(instance.output.match(/instances are not synchronized/g)).toHaveLength(1)
})

test('without Redis its state is stored on disk and restored after a restart', async () => {
  const where = mkdtempSync(join(folder, 'kept-'))
  const before = await startAlone(where)
  const client = createRealtimeClient({ url: before.address })
  await client.state('demo:count', { default: 0 }).increment(12)
  await client.state('demo:list:1').set({ text: 'Kept on disk', done: false })
  await client.close()
  await before.stop()
  expect(readdirSync(where)).toEqual(['.data'])

  const html = await (await fetch((await startAlone(where)).address)).text()
  expect(html).toContain('>12</output>')
  expect(html).toContain('Kept on disk')
})

test('it listens on 127.0.0.1 unless HOST is set', async () => {
  const instance = await startInstance({ file, folder, port: await freePort(), env: { HOST: '' } })
  onTestFinished(async () => void (await instance.stop()))
  expect(instance.output).toContain('http://127.0.0.1:')
})

test('[C5] with a client connected it ends within 3 s of SIGTERM', async () => {
  // Repeated if other work of the machine has taken the time.
  await eventually(async () => {
    const instance = await startAlone()
    const client = createRealtimeClient({ url: instance.address })
    onTestFinished(() => client.close())
    await client.state('demo:count', { default: 0 }).increment()
    const started = performance.now()
    await instance.stop()
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})

test('the cluster has three instances on one Redis, and SIGTERM ends all of them', async () => {
  const [first = 0] = await freePorts('127.0.0.1', await freePort(), 1)
  const taken = createServer().listen(first + 1, '127.0.0.1')
  onTestFinished(() => void taken.close())
  const { child, ended, output } = startScript('cluster.ts', { PORT: String(first) })
  await eventually(() => expect(output()).toContain('Stop with Ctrl-C'), { timeoutMs: 90_000 })
  const addresses = output().match(/http:\/\/\S+/g) ?? []
  const redis = Number(/redis:\/\/127\.0\.0\.1:(\d+)/.exec(output())?.[1])
  expect(addresses[0]).toBe(`http://127.0.0.1:${first}`)
  expect(addresses).toHaveLength(3)
  expect(addresses).not.toContain(`http://127.0.0.1:${first + 1}`)
  expect(await Promise.all(addresses.map(answers))).toEqual([true, true, true])
  expect(await (await fetch(addresses[0] ?? '')).text()).toContain(addresses[1])

  child.kill('SIGTERM')
  expect((await ended).code).toBe(0)
  expect(await Promise.all(addresses.map(answers))).toEqual([false, false, false])
  expect(await freePorts('127.0.0.1', redis, 1)).toEqual([redis])
})

test('instances end with the process that started them, however it ends', async () => {
  const [first = 0] = await freePorts('127.0.0.1', await freePort(), 1)
  const { child, ended, output } = startScript('cluster.ts', { PORT: String(first) })
  await eventually(() => expect(output()).toContain('Stop with Ctrl-C'), { timeoutMs: 90_000 })
  const started = execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' })
    .trim()
    .split(/\s+/)
    .map(Number)
  // Redis, PostgreSQL and the instances.
  expect(started).toHaveLength(5)
  child.kill('SIGKILL')
  await ended
  await eventually(() => expect(started.filter(isAlive)).toEqual([]))
  await eventually(async () =>
    expect(await Promise.all((output().match(/http:\/\/\S+/g) ?? []).map(answers))).toEqual([false, false, false]),
  )
})

test('the demo reports that the requested port is in use', async () => {
  const port = await freePort()
  const taken = createServer().listen(port, '127.0.0.1')
  onTestFinished(() => void taken.close())
  const { code, output } = await startScript('demo.ts', { PORT: String(port) }).ended
  expect(code).toBe(1)
  expect(output).toContain(`Port ${port} is in use`)
})
