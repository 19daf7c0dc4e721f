import { Buffer } from 'node:buffer'
import type { Driver } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs-lite'

/** Most file systems allow 255 bytes in one name. */
const MAX_PART_LENGTH = 200

/** The end of each folder's name. No file's name has it, because it is encoded in keys. */
const FOLDER_END = '~'

/**
 * Stores each key in one file of a folder, so that `todos` and `todos:1` can both be stored, unlike with the drivers of unstorage.
 * Names of files are encoded: no key leads out of the folder, and two keys never share a file where names ignore case.
 */
export function flatFilesDriver(base: string): Driver {
  const { hasItem, getItem, setItem, removeItem, getKeys } = fsDriver({ base })
  if (!setItem || !removeItem) throw new TypeError('The driver of files cannot write.')
  return {
    name: 'tutti-files',
    hasItem: (key, options) => hasItem(fileOf(key), options),
    getItem: (key, options) => getItem(fileOf(key), options),
    setItem: (key, value, options) => setItem(fileOf(key), value, options),
    removeItem: (key, options) => removeItem(fileOf(key), options),
    getKeys: async (prefix, options) => {
      const keys = (await getKeys('', options)).map(keyOf)
      return prefix === '' ? keys : keys.filter((key) => key.startsWith(prefix))
    },
  }
}

/** The path of a key's file, as a key of unstorage's driver. */
export function fileOf(key: string): string {
  const name = Array.from(Buffer.from(key), (byte) => {
    const character = String.fromCodePoint(byte)
    return /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
  })
  const parts: string[] = ['']
  for (const character of name) {
    if ((parts.at(-1) ?? '').length + character.length > MAX_PART_LENGTH) parts.push('')
    parts[parts.length - 1] += character
  }
  return parts.join(`${FOLDER_END}:`)
}

/** The key of a file. */
export const keyOf = (file: string): string => decodeURIComponent(file.replaceAll(`${FOLDER_END}:`, ''))
