package roadside.flink;

import com.uber.h3core.H3Core;
import java.io.IOException;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** {@code h3_cell(lat, lon, resolution)}: the H3 cell of a position in degrees, as text. */
public final class CellOf extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    private transient H3Core h3;

    @Override
    public void open(FunctionContext context) throws IOException {
        h3 = H3Core.newInstance();
    }

    public String eval(Double lat, Double lon, Integer resolution) {
        return lat == null || lon == null ? null : h3.latLngToCellAddress(lat, lon, resolution);
    }
}
