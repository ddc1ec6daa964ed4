# Training by DeepSpeed, which is installed separately: gradients and optimizer states are spread over the processes.
#   _base_ = ["./qpic_hqm_hico.py", "./_base_/strategies/deepspeed.py"]
runner_type = "FlexibleRunner"
strategy = dict(
    type="hqm_mmdet.engine.runner.deepspeed_strategy.CheckedDeepSpeedStrategy",
    zero_optimization=dict(stage=1),
)
