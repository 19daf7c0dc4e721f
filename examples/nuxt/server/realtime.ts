import { rules } from '@tutti/nuxt/server'

const EVERYBODY = { read: true, write: true }

export default defineRealtime({
  // A stand-in for a session: the recipes in the documentation use real ones.
  authenticate: ({ headers }) => ({ id: /(?:^|; )user=([a-z]+)/.exec(headers.cookie ?? '')?.[1] ?? 'guest' }),
  authorize: rules({
    state: { counter: EVERYBODY, 'todos:*': EVERYBODY, 'notes:{id}': EVERYBODY },
    events: { 'chat:*': { subscribe: true, publish: true } },
  }),
})
