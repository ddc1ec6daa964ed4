# What every training and test shares. The hooks lie in default_hooks, so that other fragments can add custom_hooks.
default_scope = "hqm_mmdet"
custom_imports = dict(imports=["hqm_mmdet"], allow_failed_imports=False)

default_hooks = dict(
    random_state=dict(type="RandomStateHook"),
    mean_loss=dict(type="MeanLossHook"),
    timer=dict(type="IterTimerHook"),
    finite_loss=dict(type="FiniteLossHook"),
    logger=dict(type="LoggerHook", interval=50),
    log_history=dict(type="LogHistoryHook"),
    param_scheduler=dict(type="ParamSchedulerHook"),
    # Besides every epoch a checkpoint every 1000 iterations; the newest three and the best stay.
    checkpoint=dict(type="SafeCheckpointHook", interval=1, iter_interval=1000, max_keep_ckpts=3, save_best="hico/full"),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    weight_check=dict(type="WeightCheckHook"),
    fold_norms=dict(type="FoldNormsHook"),  # when only tested
    class_check=dict(type="ClassCheckHook"),
    data_check=dict(type="DataCheckHook"),
    visualization=dict(type="DetVisualizationHook"),
    sigterm=dict(type="StopOnSigtermHook"),
)
log_processor = dict(type="DataShareLogProcessor", window_size=50, by_epoch=True)
log_level = "INFO"

vis_backends = [dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")]
visualizer = dict(type="HOIVisualizer", vis_backends=vis_backends, name="visualizer")

env_cfg = dict(
    cudnn_benchmark=False,  # images come in many sizes
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(timeout=3600),  # the tools choose the backend: nccl with a GPU per process, else gloo
)
randomness = dict(seed=0)

load_from = None
resume = False
