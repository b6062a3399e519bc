// SPDX-License-Identifier: BSD-2-Clause
'use strict';
'require view';
'require rpc';
'require poll';
'require dom';

const tables = ['links', 'groups', 'routes', 'upstream'];
const ask = what => rpc.declare({ object: 'mcproxy', method: what })();

function cell(value) {
	return value !== null && typeof value == 'object' ? JSON.stringify(value) : String(value ?? '');
}

function table(what, answer) {
	if (answer.error)
		return E('p', { 'class': 'alert-message warning' }, [ answer.error ]);
	const rows = Object.values(answer).find(Array.isArray) || [];
	const columns = [ ...new Set(rows.flatMap(Object.keys)) ];
	return E('div', {}, [
		E('h3', {}, [ what ]),
		E('table', { 'class': 'table' }, [
			E('tr', { 'class': 'tr table-titles' }, columns.map(name => E('th', { 'class': 'th' }, [ name ]))),
			...rows.map(row => E('tr', { 'class': 'tr' }, columns.map(name => E('td', { 'class': 'td' }, [ cell(row[name]) ]))))
		])
	]);
}

return view.extend({
	load: () => Promise.all(tables.map(ask)),

	render: function(answers) {
		const draw = all => tables.map((what, i) => table(what, all[i]));
		const page = E('div', {}, draw(answers));
		poll.add(() => this.load().then(all => dom.content(page, draw(all))));
		return page;
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
