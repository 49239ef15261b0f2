// The route table for Fastify, with its default settings. Arguments: the folder of its packages, a port.
const [packages, port] = process.argv.slice(2);
const fastify = require(require.resolve('fastify', { paths: [packages] }));

const say = (route) => async (request) => {
  const { id } = request.params;
  return Buffer.from([route, request.url, ...(id === undefined ? [] : [id])].join('|~|'));
};

const app = fastify();
app.get('/api/menu', say('menu'));
app.get('/api/menu/:id', say('item'));
app.get('/api/users/:id', say('user'));
app.get('/api/orders/:id/status', say('status'));
app.get('/api/orders', say('orders'));
app.get('/api/orders/*', say('orders'));
app.get('/api/kiosk', say('kiosk'));
app.get('/admin', say('admin'));
app.get('/admin/*', say('admin'));
app.get('/files', say('files'));
app.get('/files/*', say('files'));
app.get('/café', say('cafe'));
app.get('/two words', say('words'));
app.get('/a,b', say('comma'));
app.get('/*', say('rest'));
app.listen({ port: Number(port), host: '127.0.0.1' });
