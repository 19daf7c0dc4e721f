import './styles/index.css'
import { useRealtime } from '@tutti/server/nitro'
import { createSSRApp } from 'vue'
import { renderToString } from 'vue/server-renderer'
// oxlint-disable-next-line import/default -- Nitro makes this module when it builds.
import assets from './entry-client.ts?assets=client'
// oxlint-disable-next-line import/default -- As above.
import documentsAssets from './entry-documents.ts?assets=client'
import DemoApp from './demo-app.vue'
import { documentHtml, type DocumentParts } from './document-html.ts'
import { pageInfoKey, PAGES, type PageData, type PageInfo } from './page-info.ts'
import { hasDocuments } from '../server/demo-documents.ts'
import { forgetToken, tokenIn } from '../server/session-cookie.ts'
import { sessionOf } from '../server/sessions.ts'
import { readingFor } from '../server/reading-for.ts'
import { colourOf, KEYS, type Colour } from './shared-state.ts'

type Entries = PageData['entries']

/** Renders the page with the stored values, for the signed-in user (S22). */
async function renderPage(request: Request): Promise<Response> {
  const page = pageOf(new URL(request.url).pathname)
  if (page === undefined) return new Response('Not found\n', { status: 404 })
  const { instanceId } = useRealtime()
  const instances = (process.env['DEMO_INSTANCES'] ?? '').split(',').filter((address) => URL.canParse(address))
  const cookies = request.headers.get('cookie')
  // Without the store no session can be verified: the page is rendered as for a guest.
  const known = await sessionOf(cookies).then(
    (session) => ({ session }),
    () => undefined,
  )
  const session = known?.session && { session: known.session }
  const info: PageInfo = { page, instance: instanceId, instances, hasDocuments: hasDocuments(), ...session }
  const realtime = await readingFor(request)
  const body = await renderToString(createSSRApp(DemoApp).use(realtime).provide(pageInfoKey, info))
  const entries = realtime.dehydrate()
  const html = documentHtml({ body, info, colour: storedColour(entries), entries, assets: assetsOf(page) })
  const headers = new Headers({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  const isStale = known !== undefined && known.session === undefined && tokenIn(cookies ?? '') !== ''
  if (isStale) headers.set('set-cookie', forgetToken(request))
  return new Response(html, { headers })
}

/** The page at a path. */
const pageOf = (path: string): PageInfo['page'] | undefined => Object.entries(PAGES).find(([known]) => known === path)?.[1]

/** The files that a page begins with. */
function assetsOf(page: PageInfo['page']): DocumentParts['assets'] {
  if (page === 'home') return assets
  return { entry: assets.entry, js: [...assets.js, ...documentsAssets.js], css: [...assets.css, ...documentsAssets.css] }
}

/** The colour in the entries of the page. */
function storedColour(json: string): Colour {
  const entries: Entries = JSON.parse(json)
  const room = entries.find(({ key }) => key === KEYS.room)
  return colourOf(room !== undefined && 'value' in room ? room.value : undefined)
}

export default { fetch: renderPage }
