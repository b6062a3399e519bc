# SPDX-License-Identifier: BSD-2-Clause
# In place of OpenWrt's include files: `make install-PACKAGE TARGET=DIRECTORY` runs the install step of the recipe.
INSTALL_DIR:=install -d -m0755
INSTALL_BIN:=install -m0755
INSTALL_DATA:=install -m0644
INSTALL_CONF:=install -m0600

define BuildPackage
install-$(1):
	$$(call Package/$(1)/install,$$(TARGET))
endef
