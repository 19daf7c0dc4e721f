import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

/** A real nginx, which is stopped with the test process. */
export interface TestNginx {
  stop(): Promise<void>
}

/** A self-signed certificate, as files. */
export interface TestCertificate {
  readonly certificate: string
  readonly key: string
  remove(): void
}

/** Debian's location, which may be missing in `PATH`. */
const PATH = `${process.env['PATH']}:/usr/sbin`

/**
 * Starts nginx with the text of a file of `conf.d`; it listens only on ports of 127.0.0.1. Settles when all of them accept
 * connections.
 */
export async function startNginx(text: string): Promise<TestNginx> {
  const ports = [...text.matchAll(/listen\s+127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
  if (ports.length !== text.match(/^\s*listen\s/gm)?.length) throw new Error('nginx in tests listens on 127.0.0.1 alone.')
  const folder = mkdtempSync(join(tmpdir(), 'tutti-nginx-'))
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(folder, text))
  // setpriv: a killed test run leaves no orphan behind. Detached: Ctrl-C in a terminal reaches only the test run.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'nginx', '-p', folder, '-c', file, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: { ...process.env, PATH },
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (part: string) => (complaints += part))
  await eventually(
    async () => {
      if (child.exitCode === null) await Promise.all(ports.map(answers))
    },
    { timeoutMs: 30_000 },
  )
  if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}: ${complaints}`)
  return {
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await exited
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** One process in the foreground, all its files in the folder. */
const configuration = (folder: string, text: string): string => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  ${text}
}
`

/** Creates a self-signed certificate for localhost and 127.0.0.1. */
export function makeCertificate(): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-certificate-'))
  const certificate = join(folder, 'certificate.pem')
  const key = join(folder, 'key.pem')
  const options = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'.split(' ')
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate]
  const { status, stderr } = spawnSync('openssl', ['req', ...options, ...names], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`)
  return { certificate, key, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

const answers = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve()
    }).once('error', reject)
  })
