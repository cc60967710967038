/** For the image: builds the pages and the browser SDK, so that the first start writes nothing beside its data. */
import { buildDashboardIfNeeded } from '../apps/arus/src/dashboard-server/build-dashboard.ts'
import { buildSdkIfNeeded } from '../apps/arus/src/http/sdk/build-sdk.ts'

await buildDashboardIfNeeded({ onProgress: () => {} })
await buildSdkIfNeeded()
