#include "training/loss.hpp"

namespace ne_torch {

template <class T>
void loss_of_my_samples(const LossSettings& settings, const Member<T>& me, index_t classes,
                        const Targets<T>& targets, double divisor, const LossRoom<T>& room) {
    const index_t begin = me.columns.begin;
    LossArgs<T> args;
    args.options = &settings.options<T>();
    args.classes = classes;
    args.count = me.width();
    args.prediction = read(me.mine(room.prediction));
    if (targets.indices) {
        args.indices = targets.indices + begin;
    } else {
        const Matrix<T> turned = me.mine(room.target);
        me.kernels.transpose(args.count, classes, me.my_rows(targets.dense), turned);
        args.target = read(turned);
    }
    if (targets.sample_weight) args.sample_weight = targets.sample_weight + begin;
    args.loss = room.loss + begin;
    args.scale = static_cast<T>(1.0 / divisor);
    args.grad_input = me.mine(room.gradient);
    me.kernels.loss(args);
}

template void loss_of_my_samples(const LossSettings&, const Member<float>&, index_t, const Targets<float>&,
                                 double, const LossRoom<float>&);
template void loss_of_my_samples(const LossSettings&, const Member<double>&, index_t, const Targets<double>&,
                                 double, const LossRoom<double>&);

}  // namespace ne_torch
