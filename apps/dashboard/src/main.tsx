import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiContext } from './api/api-context.ts'
import { findApi } from './api/config.ts'
import { ApiFailure } from './api/request.ts'
import { router } from './router.tsx'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/parts.css'
import './styles/products.css'
import { LanguageProvider } from './text/language.tsx'
import { ThemeProvider } from './view/theme.tsx'

/** A question the API refused will be refused again; one it did not answer is asked once more. */
const client = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failureCount, error) =>
        failureCount < 1 && !(error instanceof ApiFailure && error.status >= 400 && error.status < 500),
      retryDelay: 500,
      staleTime: 2_000,
    },
  },
})

const root = document.getElementById('root')
if (root === null) throw new TypeError('index.html must hold an element with the id "root"')
const api = await findApi()
createRoot(root).render(
  <StrictMode>
    <ApiContext value={api}>
      <QueryClientProvider client={client}>
        <ThemeProvider>
          <LanguageProvider>
            <RouterProvider router={router} />
          </LanguageProvider>
        </ThemeProvider>
      </QueryClientProvider>
    </ApiContext>
  </StrictMode>,
)
