import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router'
import { AttributionPage } from './pages/attribution-page.tsx'
import { FunnelPage } from './pages/funnel-page.tsx'
import { HeatmapPage } from './pages/heatmap-page.tsx'
import { NotFoundPage } from './pages/not-found-page.tsx'
import { RecommendationsPage } from './pages/recommendations-page.tsx'
import { RetentionPage } from './pages/retention-page.tsx'
import { RulesPage } from './pages/rules-page.tsx'
import { SummaryPage } from './pages/summary-page.tsx'
import { SystemPage } from './pages/system-page.tsx'
import { TimelinePage } from './pages/timeline-page.tsx'
import { TrendsPage } from './pages/trends-page.tsx'
import { Shell } from './shell.tsx'

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage })

const routeTree = rootRoute.addChildren([
  createRoute({ getParentRoute: () => rootRoute, path: '/', component: SummaryPage }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/recommendations',
    component: RecommendationsPage,
    validateSearch: (search: Record<string, unknown>): { user?: string } =>
      search.user === undefined ? {} : { user: String(search.user) },
  }),
  createRoute({ getParentRoute: () => rootRoute, path: '/funnel', component: FunnelPage }),
  createRoute({ getParentRoute: () => rootRoute, path: '/retention', component: RetentionPage }),
  createRoute({ getParentRoute: () => rootRoute, path: '/attribution', component: AttributionPage }),
  createRoute({ getParentRoute: () => rootRoute, path: '/timeline', component: TimelinePage }),
  createRoute({ getParentRoute: () => rootRoute, path: '/heatmap', component: HeatmapPage }),
  createRoute({ getParentRoute: () => rootRoute, path: '/trends', component: TrendsPage }),
  createRoute({ getParentRoute: () => rootRoute, path: '/rules', component: RulesPage }),
  createRoute({ getParentRoute: () => rootRoute, path: '/system', component: SystemPage }),
])

/** The pages by their paths. */
export const router = createRouter({ routeTree, scrollRestoration: true })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
