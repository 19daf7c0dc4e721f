import { PAGE_DATA_ID, type PageInfo } from './page-info.ts'
import type { Colour } from './shared-state.ts'
import { THEME_STORAGE_KEY } from './theme.ts'

/** The parts of the page. */
export interface DocumentParts {
  /** The rendered application. */
  body: string
  info: PageInfo
  /** Set on the root from the first byte, so that the page does not fade in from another colour. */
  colour: Colour
  /** JSON that is safe inside a script. */
  entries: string
  assets: { entry?: string | undefined; js: readonly { href: string }[]; css: readonly { href: string }[] }
}

// Before the first paint: applies the stored theme, so that nothing flashes.
const THEME_SCRIPT = `try{const t=localStorage.getItem('${THEME_STORAGE_KEY}');if(t)document.documentElement.dataset.theme=t}catch{}`

const TITLES = { home: 'Tutti: a page that everybody shares', documents: 'Documents · Tutti' } as const satisfies Record<
  PageInfo['page'],
  string
>

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><g fill="#0b7a5b"><circle cx="4" cy="8" r="3"/><circle cx="12" cy="8" r="3"/><path d="M4 7h8v2H4z"/></g></svg>',
)}`

/** The whole HTML of the page. */
export function documentHtml({ body, info, colour, entries, assets }: DocumentParts): string {
  const data = `${inScript({ ...info }).slice(0, -1)},"entries":${entries}}`
  return `<!doctype html>
<html lang="en" data-colour="${colour}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="A counter, a list, a form, a chat and documents that everybody who opens this page shares.">
<title>${TITLES[info.page]}</title>
<link rel="icon" href="${ICON}">
<script>${THEME_SCRIPT}</script>
${assets.css.map(({ href }) => `<link rel="stylesheet" href="${href}">`).join('\n')}
${assets.js.map(({ href }) => `<link rel="modulepreload" href="${href}">`).join('\n')}
</head>
<body>
<noscript><p class="noscript">These are the values as they are stored now. With JavaScript they change before your eyes, and you can change them.</p></noscript>
<div id="app">${body}</div>
<script type="application/json" id="${PAGE_DATA_ID}">${data}</script>
<script type="module" src="${assets.entry ?? ''}"></script>
</body>
</html>
`
}

/** JSON that cannot end the script around it. */
const inScript = (value: object): string => JSON.stringify(value).replaceAll('<', String.raw`\u003c`)
