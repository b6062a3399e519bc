// SPDX-License-Identifier: BSD-2-Clause
// The ubus object `mcproxy`, for rpcd: /usr/share/rpcd/ucode/mcproxy.uc. Its answers are those of the control socket.
'use strict';

const fs = require('fs');

function quote(text) {
	return "'" + replace(text, /'/g, "'\\''") + "'";
}

function run(command) {
	const pipe = fs.popen('mcproxyctl --json ' + command + ' 2>&1', 'r');
	const text = pipe.read('all');
	pipe.close();
	try {
		return json(text);
	} catch (e) {
		return { error: text };
	}
}

function options(args, names) {
	let text = '';
	for (let name in names) {
		const value = args ? args[name] : null;
		if (type(value) == 'string' && value != '')
			text += ' --' + name + ' ' + quote(value);
	}
	return text;
}

const filters = { instance: '', link: '', group: '' };

function listing(what) {
	return { args: filters, call: function(request) { return run(what + options(request.args, filters)); } };
}

return {
	mcproxy: {
		status: { call: function(request) { return run('status'); } },
		links: listing('links'),
		groups: listing('groups'),
		routes: listing('routes'),
		upstream: listing('upstream'),
		filters: listing('filters'),
		explain: {
			args: { group: '', source: '', link: '', host: '' },
			call: function(request) {
				const group = request.args.group || '';
				const source = request.args.source || '';
				if (!match(group, /^[0-9a-fA-F:.]+$/) || !match(source, /^[0-9a-fA-F:.]*$/))
					return { error: 'group and source must be addresses' };
				// rpcd answers nobody else meanwhile.
				return run('explain ' + group + ' ' + source + ' --seconds 1' + options(request.args, { link: '', host: '' }));
			}
		},
		reload: { call: function(request) { return run('reload'); } }
	}
};
