export * from '@tutti/vue/documents'
