import { cart, get, priceOf, recommend, setCart } from './shop.js'

const id = new URLSearchParams(location.search).get('id')
const product = await get(`/products/${encodeURIComponent(id)}`)
const price = product.price ?? undefined
const told = document.querySelector('#told')

document.title = product.title
document.querySelector('#title').textContent = product.title
document.querySelector('#facts').textContent = [product.category, priceOf(product)]
  .filter(Boolean)
  .join(' · ')
window.arus?.view(id, { price })
recommend({ product: id, scenario: 'product', limit: 6 })

document.querySelector('#add').onclick = () => {
  window.arus?.addToCart(id, { price, quantity: 1 })
  setCart([...cart(), { product_id: id, price, quantity: 1 }])
}

document.querySelector('#buy').onclick = () => {
  const lines = cart().length > 0 ? cart() : [{ product_id: id, price, quantity: 1 }]
  const order = `order-${Date.now()}`
  window.arus?.purchase(order, lines)
  setCart([])
  told.textContent = `Thank you for ${order}.`
}
