// server/routes/visits.ts
import { useRealtime } from '@tutti/server/nitro'
import { defineHandler } from 'nitro'

export default defineHandler(() => useRealtime().state.increment('visits'))
