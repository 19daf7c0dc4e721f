// The packages that are published: folders in packages/ whose package.json is not private.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../packages')

export const publishedPackages = readdirSync(folder)
  .map((name) => ({ folder: join(folder, name), manifest: JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) }))
  .filter(({ manifest }) => manifest.private !== true)
