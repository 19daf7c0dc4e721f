/** What Nitro 2 imports by itself. */
declare const defineEventHandler: (handler: () => unknown) => unknown
