import { rules } from '@tutti/nuxt/server'

const READ_AND_WRITE = { read: true, write: true }

export default defineRealtime({
  // Replaces a session in this example. docs/nuxt-sign-in.md shows real ones.
  authenticate: ({ headers }) => ({ id: /(?:^|; )user=([a-z]+)/.exec(headers.cookie ?? '')?.[1] ?? 'guest' }),
  authorize: rules({
    state: { counter: READ_AND_WRITE, 'todos:*': READ_AND_WRITE, 'notes:{id}': READ_AND_WRITE },
    events: { 'chat:*': { subscribe: true, publish: true } },
  }),
})
