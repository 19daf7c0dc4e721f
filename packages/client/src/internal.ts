/**
 * For other packages of Tutti only: any release may change these exports.
 * @module
 * @internal
 */
export { COLLECTION_DEFAULTS } from './collection/collection-contract.ts'
