"""``hqm_mmdet::qpic_hqm_hico.py``: the project's configs by address, for ``_base_`` and mmengine's ``get_config``."""

import os

import mmengine.config.config
import mmengine.config.utils
import mmengine.hub.hub

PACKAGE = "hqm_mmdet"


def open_config_addresses() -> None:
    """Let mmengine find the configs of this package, in a checkout too.

    mmengine knows OpenMMLab's packages only, asks for a folder in the address, which our names have not, and looks for
    the index of the package's models first.
    """
    utils = mmengine.config.utils
    utils.MODULE2PACKAGE[PACKAGE] = PACKAGE
    split_address, find_entry = utils._get_package_and_cfg_path, utils._get_cfg_metainfo

    def package_and_path(address: str) -> tuple[str, str]:
        package, _, name = address.partition("::")
        if package != PACKAGE:
            return split_address(address)
        from hqm_mmdet.configuring import find_config  # not before the stack is set up

        # mmengine joins this with the package's folder; an absolute path stays as it is.
        return PACKAGE, str(find_config(name).resolve())

    def entry_of(package_path: str, path: str) -> dict:
        if os.path.isabs(path):
            raise ValueError(f"{path} has been found already.")  # mmengine then takes the path
        return find_entry(package_path, path)

    for module in (utils, mmengine.config.config, mmengine.hub.hub):
        module._get_package_and_cfg_path = package_and_path
        module._get_cfg_metainfo = entry_of
