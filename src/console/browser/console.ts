import { updateLiveParts } from './live.ts'

updateLiveParts(document)
