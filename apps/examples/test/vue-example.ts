import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { chromium, type Page } from 'playwright-core'
import { build, preview, type InlineConfig } from 'vite'
import { onTestFinished } from 'vitest'

/** Finds the block of a README that stands behind the name of its file. */
function blockOf(text: string, file: string): string {
  const code = new RegExp(`\`${file}\`:\n\n\`\`\`\\w+\n(.*?)\`\`\``, 's').exec(text)?.[1]
  if (code === undefined) throw new Error(`The README has no ${file}.`)
  return code
}

/** Builds the README's Vue application, as it stands but for the port of its server, and opens it in Chromium. */
export async function openVueExample(readme: URL, port: number): Promise<{ open: () => Promise<Page> }> {
  const text = readFileSync(readme, 'utf8').replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)
  // Inside the package, so that its dependencies are found.
  const root = mkdtempSync(fileURLToPath(new URL('./vue-app-', import.meta.url)))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'src'))
  for (const file of ['src/main.ts', 'src/App.vue']) writeFileSync(join(root, file), blockOf(text, file))
  writeFileSync(join(root, 'index.html'), '<!doctype html><div id="app"></div><script type="module" src="/src/main.ts"></script>')

  const config: InlineConfig = {
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [vue()],
    resolve: { conditions: ['@tutti/source', 'browser'] },
  }
  await build(config)
  const server = await preview({ ...config, preview: { host: '127.0.0.1', port: 0 } })
  onTestFinished(() => server.close())
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  onTestFinished(() => browser.close())
  const url = server.resolvedUrls?.local[0] ?? ''
  return {
    open: async () => {
      const page = await browser.newPage()
      await page.goto(url)
      return page
    },
  }
}
