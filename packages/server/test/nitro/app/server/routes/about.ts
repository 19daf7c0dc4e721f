import { defineHandler } from 'nitro'

export default defineHandler(() => 'A page that is made at build time.')
