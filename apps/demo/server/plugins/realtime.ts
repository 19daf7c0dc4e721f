import { attachRealtime } from '@tutti/server/nitro'
import { definePlugin } from 'nitro'
import { realtimeOptions } from '../realtime-options.ts'

// Nitro would listen on every interface of the machine. Plugins are evaluated before it asks.
process.env['HOST'] ||= '127.0.0.1'

export default definePlugin((nitroApp) => {
  attachRealtime(nitroApp, realtimeOptions)
})
