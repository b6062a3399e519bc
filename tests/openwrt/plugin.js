// SPDX-License-Identifier: BSD-2-Clause
// usage: node plugin.js CONFIG_OPENWRT METHOD [ARGUMENTS_AS_JSON]
// Calls a method of the ubus plugin as rpcd does, with node in place of ucode: the plugin uses only what both have, and the
// functions below. Without METHOD, it renders the LuCI views, checks the list of allowed methods, and prints it.
const fs = require('fs');
const { spawnSync } = require('child_process');
const [directory, method, text] = process.argv.slice(2);

const stand_ins = {
	require: () => ({
		popen: command => ({ read: () => spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' }).stdout, close: () => 0 })
	}),
	json: JSON.parse,
	type: value => typeof value,
	match: (value, pattern) => value.match(pattern),
	replace: (value, pattern, by) => value.replace(pattern, by)
};
const source = fs.readFileSync(`${directory}/files/mcproxy.uc`, 'utf8');
const plugin = new Function(...Object.keys(stand_ins), source)(...Object.values(stand_ins)).mcproxy;
if (method) {
	console.log(JSON.stringify(plugin[method].call({ args: JSON.parse(text || '{}') })));
} else {
	const app = `${directory}/luci-app-mcproxy`;
	// LuCI gives a view what it requires as variables, and E() makes an element. Whatever else a view asks for exists here.
	const anything = new Proxy(function() {}, { get: (_, name) => name == Symbol.toPrimitive ? () => '' : anything, apply: () => anything,
		construct: () => anything, set: () => true });
	const E = (tag, attributes, children) => `<${tag}>${[].concat(children).flat().join('')}</${tag}>`;
	const view_of = name => new Function('view', 'form', 'widgets', 'rpc', 'poll', 'dom', 'E', '_',
		fs.readFileSync(`${app}/htdocs/luci-static/resources/view/mcproxy/${name}.js`, 'utf8'))(
		{ extend: view => view }, anything, anything, anything, anything, anything, E, text => text);
	view_of('form').render();
	const rows = { links: [ { instance: 'tv', link: 'br-lan', querier: true } ] };
	const page = view_of('status').render([ rows, { error: 'no daemon' }, {}, {} ]);
	for (const part of ['<td>tv</td><td>br-lan</td><td>true</td>', '<p>no daemon</p>', '<h3>upstream</h3>'])
		if (!page.includes(part))
			throw new Error(`the status page lacks ${part}: ${page}`);
	JSON.parse(fs.readFileSync(`${app}/root/usr/share/luci/menu.d/luci-app-mcproxy.json`));
	const acl = JSON.parse(fs.readFileSync(`${app}/root/usr/share/rpcd/acl.d/luci-app-mcproxy.json`))['luci-app-mcproxy'];
	const allowed = [...acl.read.ubus.mcproxy, ...acl.write.ubus.mcproxy];
	if (allowed.join() != Object.keys(plugin).join())
		throw new Error(`the ACL allows ${allowed}, the plugin has ${Object.keys(plugin)}`);
	console.log(allowed.join(' '));
}
