import { defineRealtime, rules } from '../../src/runtime/server'

const OPEN = { read: true, write: true }

export default defineRealtime({
  authenticate: ({ headers }) => ({ id: headers.cookie ?? 'guest' }),
  authorize: rules({ state: { open: OPEN, 'notes:{id}': OPEN } }),
  onWarning: () => {},
})
