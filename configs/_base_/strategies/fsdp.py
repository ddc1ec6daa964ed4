# Weights, gradients and optimizer states are spread over the processes (FSDP). Beside a config's other bases:
#   _base_ = ["./qpic_hqm_hico.py", "./_base_/strategies/fsdp.py"]
runner_type = "FlexibleRunner"
strategy = dict(type="hqm_mmdet.engine.runner.fsdp_strategy.CheckedFSDPStrategy")
