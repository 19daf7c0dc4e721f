export { defineSchema } from '@tutti/protocol'
