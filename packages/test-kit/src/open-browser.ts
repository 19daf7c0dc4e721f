import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

/** Debian's locations; `CHROMIUM` overrides them. The shell has no windows, and takes half of the processor time. */
const [SHELL, WITH_WINDOWS] = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium']
const EXECUTABLE = process.env['CHROMIUM'] ?? (existsSync(SHELL) ? SHELL : WITH_WINDOWS)

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A real Chromium without a window. */
export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: EXECUTABLE, args: ARGS })
