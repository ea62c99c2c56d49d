package roadside.flink;

import java.io.Serializable;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** Finds a row's fields by name, and copies a row with some of them replaced. */
final class Columns implements Serializable {
    private static final long serialVersionUID = 1L;

    private final RowType type;
    private final RowData.FieldGetter[] getters;

    Columns(RowType type) {
        this.type = type;
        this.getters = new RowData.FieldGetter[type.getFieldCount()];
        for (int i = 0; i < getters.length; i++) {
            getters[i] = RowData.createFieldGetter(type.getTypeAt(i), i);
        }
    }

    int index(String name) {
        int index = type.getFieldIndex(name);
        if (index < 0) {
            throw new ValidationException("no column '" + name + "' in " + type.getFieldNames());
        }
        return index;
    }

    GenericRowData copy(RowData row) {
        GenericRowData copy = new GenericRowData(row.getRowKind(), getters.length);
        for (int i = 0; i < getters.length; i++) {
            copy.setField(i, getters[i].getFieldOrNull(row));
        }
        return copy;
    }
}
