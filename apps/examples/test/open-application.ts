import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openBrowser } from '@tutti/test-kit/browser'
import vue from '@vitejs/plugin-vue'
import type { Page } from 'playwright-core'
import { build, preview, type InlineConfig } from 'vite'
import { onTestFinished } from 'vitest'

/** A browser application that is served. */
export interface Application {
  readonly origin: string
  /** Opens it in Chromium. */
  open(): Promise<Page>
}

/** Builds and serves a browser application from its files, by path; `src/main.ts` is its entry. */
export async function openApplication(files: Readonly<Record<string, string>>): Promise<Application> {
  // Inside the package, so that its dependencies are found.
  const root = mkdtempSync(fileURLToPath(new URL('./app-', import.meta.url)))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const index = '<!doctype html><div id="app"></div><script type="module" src="/src/main.ts"></script>'
  for (const [path, text] of Object.entries({ 'index.html': index, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const config: InlineConfig = {
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [vue()],
    resolve: { conditions: ['@tutti/source', 'browser'] },
    worker: { format: 'es' },
  }
  await build(config)
  const server = await preview({ ...config, preview: { host: '127.0.0.1', port: 0 } })
  onTestFinished(() => server.close())
  const browser = await openBrowser()
  onTestFinished(() => browser.close())
  const { origin } = new URL(server.resolvedUrls?.local[0] ?? '')
  return {
    origin,
    open: async () => {
      const page = await browser.newPage()
      page.setDefaultTimeout(100_000)
      await page.goto(origin)
      return page
    },
  }
}
