import './styles/index.css'
import { createRealtime } from '@tutti/vue'
import { createSSRApp } from 'vue'
import DemoApp from './demo-app.vue'
import { guestAuth } from './guest.ts'
import { PAGE_DATA_ID, pageInfoKey, type PageData } from './page-info.ts'

// Written by the server that this page came from.
const { entries, ...info }: PageData = JSON.parse(document.getElementById(PAGE_DATA_ID)?.textContent ?? '')

createSSRApp(DemoApp)
  .use(createRealtime({ entries, auth: guestAuth() }))
  .provide(pageInfoKey, info)
  .mount('#app')
