// The route table for Express, with its default settings. Arguments: the folder of its packages, a port.
const [packages, port] = process.argv.slice(2);
const express = require(require.resolve('express', { paths: [packages] }));

const say = (route) => (request, response) => {
  const path = request.baseUrl + request.path;
  const { id } = request.params;
  response.end(Buffer.from([route, path, ...(id === undefined ? [] : [id])].join('|~|')));
};

const app = express();
app.get('/api/menu', say('menu'));
app.get('/api/menu/:id', say('item'));
app.get('/api/users/:id', say('user'));
app.get('/api/orders/:id/status', say('status'));
app.use('/api/orders', say('orders'));
app.get('/api/kiosk', say('kiosk'));
app.use('/admin', say('admin'));
app.use('/files', say('files'));
// Express compares with what the client wrote.
app.get('/caf%C3%A9', say('cafe'));
app.get('/two%20words', say('words'));
app.get('/a,b', say('comma'));
app.use(say('rest'));
// Its own answer to an error would hold the stack.
app.use((error, request, response, next) => response.status(error.status || 500).end());
app.listen(Number(port), '127.0.0.1');
