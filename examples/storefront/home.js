import { get, recommend, show } from './shop.js'

const list = document.querySelector('#products')

document.querySelector('#search').onsubmit = async (event) => {
  event.preventDefault()
  const query = new FormData(event.target).get('q')
  window.arus?.search(query)
  const { products } = await get(`/products?limit=12&q=${encodeURIComponent(query)}`)
  show(list, products)
}

recommend({ scenario: 'home', limit: 6 })
show(list, (await get('/products?limit=12')).products)
