// SPDX-License-Identifier: BSD-2-Clause
'use strict';
'require view';
'require form';
'require tools.widgets as widgets';

return view.extend({
	render: function() {
		const map = new form.Map('mcproxy', _('Multicast proxy'), _('Lets hosts receive multicast from an upstream network.'));
		let section = map.section(form.TypedSection, 'mcproxy');
		section.anonymous = true;
		section.option(form.Flag, 'disabled', _('Disabled'));
		section.option(form.Flag, 'reset_rp_filter', _('Accept sources by any route'));

		section = map.section(form.TypedSection, 'instance', _('Instances'));
		section.anonymous = true;
		section.addremove = true;
		section.option(form.Value, 'name', _('Name'));
		for (const [key, title] of [['upstream', _('Upstream')], ['downstream', _('Downstream')]]) {
			const links = section.option(widgets.NetworkSelect, key, title);
			links.multiple = true;
			links.nocreate = true;
		}
		section.option(form.Flag, 'fast_leave', _('Fast leave'));
		const rules = section.option(form.DynamicList, 'rule', _('Rules'), _('In order; the first that matches decides.'));
		rules.placeholder = 'in allow 239.0.0.0/8';

		section = map.section(form.TypedSection, 'set', _('Sets'));
		section.addremove = true;
		section.option(form.DynamicList, 'member', _('Members'));
		return map.render();
	}
});
