import { offerCopies } from './copy.ts'
import { holdLiveElements } from './held.ts'
import { updateLiveElements } from './live.ts'
import { markNewRows } from './new-rows.ts'
import { updateTimes } from './times.ts'

updateTimes(document)
updateLiveElements(document)
holdLiveElements(document)
markNewRows(document)
offerCopies(document)
