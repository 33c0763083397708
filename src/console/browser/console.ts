import { updateLiveElements } from './live.ts'
import { updateTimes } from './times.ts'

updateTimes(document)
updateLiveElements(document)
