// The page of documents, in files of its own.
export { default } from './components/documents/documents-page.vue'
